// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IToken, Known, TokenReceiver} from "./Interfaces.sol";

/// What redeems somebody's shares of the real ConditionalTokens contract and pays pUSD for them.
abstract contract Redeems is TokenReceiver {
    function _redeem(IToken underlying, bytes32 conditionId, address owner) internal {
        uint256[] memory ids = _positions(underlying, conditionId);
        uint256[] memory amounts = new uint256[](2);
        for (uint256 i = 0; i < 2; i++) amounts[i] = Known.CTF.balanceOf(owner, ids[i]);
        Known.CTF.safeBatchTransferFrom(owner, address(this), ids, amounts, "");
        uint256 before = underlying.balanceOf(address(this));
        Known.CTF.redeemPositions(address(underlying), bytes32(0), conditionId, _both());
        _pay(underlying, owner, underlying.balanceOf(address(this)) - before);
    }

    function _positions(IToken underlying, bytes32 conditionId) internal view returns (uint256[] memory ids) {
        ids = new uint256[](2);
        for (uint256 i = 0; i < 2; i++) {
            bytes32 collection = Known.CTF.getCollectionId(bytes32(0), conditionId, i + 1);
            ids[i] = Known.CTF.getPositionId(address(underlying), collection);
        }
    }

    function _pay(IToken underlying, address owner, uint256 amount) internal {
        underlying.burn(address(this), amount);
        Known.PUSD.mint(owner, amount);
    }

    function _both() internal pure returns (uint256[] memory sets) {
        sets = new uint256[](2);
        (sets[0], sets[1]) = (1, 2);
    }
}

/// Complete sets and redemption in pUSD over the real ConditionalTokens contract. As at the venue, the
/// adapter works on the caller's own tokens, which the caller lets it move, and it ignores the collateral,
/// the parent and the index sets that the ABI makes it take.
abstract contract CollateralAdapter is Redeems {
    function underlying() public pure virtual returns (IToken);

    function splitPosition(address, bytes32, bytes32 conditionId, uint256[] calldata, uint256 amount) external {
        require(Known.PUSD.transferFrom(msg.sender, address(this), amount), "pUSD");
        Known.PUSD.burn(address(this), amount);
        underlying().mint(address(this), amount);
        underlying().approve(address(Known.CTF), amount);
        Known.CTF.splitPosition(address(underlying()), bytes32(0), conditionId, _both(), amount);
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (amount, amount);
        Known.CTF.safeBatchTransferFrom(address(this), msg.sender, positions(conditionId), amounts, "");
    }

    function mergePositions(address, bytes32, bytes32 conditionId, uint256[] calldata, uint256 amount) external {
        uint256[] memory amounts = new uint256[](2);
        (amounts[0], amounts[1]) = (amount, amount);
        Known.CTF.safeBatchTransferFrom(msg.sender, address(this), positions(conditionId), amounts, "");
        Known.CTF.mergePositions(address(underlying()), bytes32(0), conditionId, _both(), amount);
        _pay(underlying(), msg.sender, amount);
    }

    function redeemPositions(address, bytes32, bytes32 conditionId, uint256[] calldata) external {
        _redeem(underlying(), conditionId, msg.sender);
    }

    function positions(bytes32 conditionId) public view returns (uint256[] memory ids) {
        return _positions(underlying(), conditionId);
    }
}

contract CtfCollateralAdapter is CollateralAdapter {
    function underlying() public pure override returns (IToken) {
        return Known.BRIDGED_USDC;
    }
}

contract NegRiskCtfCollateralAdapter is CollateralAdapter {
    function underlying() public pure override returns (IToken) {
        return Known.WRAPPED_COLLATERAL;
    }
}
